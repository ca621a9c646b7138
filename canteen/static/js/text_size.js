// Three sizes of text, changed at once and kept for a year; the plain link does it without us.
export function attach(link) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const size = link.dataset.textSize;
    const html = document.documentElement;
    html.classList.remove("text-1", "text-2", "text-3");
    html.classList.add(`text-${size}`);
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `text_size=${size}; path=/; max-age=31536000; SameSite=Lax${secure}`;
    for (const other of document.querySelectorAll("[data-text-size]")) {
      if (other === link) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    }
  });
}
