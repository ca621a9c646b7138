// Says whether the till is connected: <span data-network> with [data-online] and [data-offline].
export function attach(element) {
  const show = () => {
    element.querySelector("[data-online]").hidden = !navigator.onLine;
    element.querySelector("[data-offline]").hidden = navigator.onLine;
  };
  window.addEventListener("online", show);
  window.addEventListener("offline", show);
  show();
}
