// A filter form applies a changed choice by itself: <form data-auto-submit>.
export function attach(form) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, [type=checkbox], [type=radio], [type=date], [type=month]")) {
      form.requestSubmit();
    }
  });
}
