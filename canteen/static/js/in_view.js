// Brings the page the reader is on into sight where a row of tabs is wider than the screen.
export function attach(link) {
  const row = link.closest("ul");
  row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
}
