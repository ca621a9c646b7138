// The few sentences scripts say themselves, in the page's language.
export function say(zh, en) {
  return document.documentElement.lang.startsWith("en") ? en : zh;
}

// For screen readers: said once, politely, without moving anything.
export function announce(text) {
  let line = document.getElementById("announcer");
  if (!line) {
    line = document.createElement("p");
    line.id = "announcer";
    line.className = "visually-hidden";
    line.setAttribute("role", "status");
    document.body.append(line);
  }
  line.textContent = text;
}
