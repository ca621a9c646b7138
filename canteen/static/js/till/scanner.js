// Hears a card scanner wherever the focus is: digits faster than any finger, then Enter.

const FAST = 120; // milliseconds between two keys of a scanner
const LEAST = 6; // digits that make a scan and not a quick hand

// `scanned(text)` gets what was scanned, `digit(n)` a figure key pressed by hand outside any field.
// Gives the function that is to see every keydown; it answers true when the key was the scanner's.
export function listen({ scanned, digit }) {
  let heard = "";
  let last = -Infinity;
  let field = null;
  let before = "";
  let timer = 0;

  return function key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return false;
    const gap = event.timeStamp - last;
    const figure = /^[0-9Xx]$/.test(event.key);
    const typing = event.target.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select");
    if (figure) {
      last = event.timeStamp;
      if (gap > FAST || !heard) {
        if (/[Xx]/.test(event.key)) return false;
        heard = event.key;
        field = typing ? event.target : null;
        before = typing ? event.target.value : "";
      } else {
        heard += event.key;
      }
      clearTimeout(timer);
      if (!typing) {
        // Alone it was a finger on the figure keys; with company it is a scanner's.
        timer = setTimeout(() => {
          if (heard.length === 1) digit(Number(heard));
        }, FAST + 20);
        event.preventDefault();
        return true;
      }
      return false;
    }
    if (event.key === "Enter" && heard.length >= LEAST && gap <= FAST * 3) {
      event.preventDefault();
      event.stopPropagation();
      clearTimeout(timer);
      const text = heard;
      heard = "";
      if (field?.isConnected && field === event.target) {
        field.value = before; // the number was not meant for this field
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
      scanned(text);
      return true;
    }
    if (event.key.length === 1 || event.key === "Enter") heard = "";
    return false;
  };
}
