// Links to a <dialog> open it modally; data-confirm asks before a form is sent.
import { say } from "./words.js";

export function attach(element) {
  if (element.dataset.dialog) attachOpener(element);
  else attachConfirm(element);
}

function attachOpener(opener) {
  const dialog = document.getElementById(opener.dataset.dialog);
  if (!dialog) return;
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  for (const close of dialog.querySelectorAll("[data-close]")) {
    close.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
  }
  dialog.addEventListener("close", () => opener.focus());
  if ("open" in dialog.dataset && !dialog.open) dialog.showModal(); // what was typed in it was refused
}

// On a form the question is for every way of sending it; on a button only for that button.
function attachConfirm(element) {
  const form = element.closest("form");
  if (!form) return;
  form.addEventListener(
    "submit",
    (event) => {
      const asked = element === form || event.submitter === element;
      if (!asked || element.dataset.sure) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(element, event.submitter).then((sure) => {
        if (!sure) return;
        element.dataset.sure = "yes";
        form.requestSubmit(event.submitter ?? undefined);
        delete element.dataset.sure;
      });
    },
    true,
  );
}

function ask(element, submitter) {
  const dialog = document.createElement("dialog");
  const body = document.createElement("div");
  body.className = "dialog-body";
  const question = document.createElement("p");
  question.className = "strong";
  question.id = "confirm-question";
  question.textContent = element.dataset.confirm;
  const actions = document.createElement("div");
  actions.className = "actions";
  const no = button(say("先不", "Not now"), "button");
  const yes = button(
    element.dataset.confirmYes || submitter?.textContent.trim() || say("确定", "Confirm"),
    element.dataset.confirmKind === "stop" ? "button button-stop-sure" : "button button-primary",
  );
  actions.append(no, yes);
  body.append(question, actions);
  dialog.append(body);
  dialog.setAttribute("aria-labelledby", question.id);
  document.body.append(dialog);
  return new Promise((resolve) => {
    no.addEventListener("click", () => dialog.close("no"));
    yes.addEventListener("click", () => dialog.close("yes"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      submitter?.focus();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
    no.focus();
  });
}

function button(words, className) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.textContent = words;
  return made;
}
