// The receipt over the page: look at it, print it by the browser or straight to the printer.
import { say } from "../../words.js";
import { h, own } from "../dom.js";
import { button, notice, segments, sheet } from "../parts.js";

let receipts = null; // the module, once it was needed

export function receiptSheet(sale) {
  return (app) => {
    if (!receipts) {
      import("../receipt.js").then((made) => {
        receipts = made;
        app.render();
      });
    }
    const now = app.sale(sale.number) ?? sale;
    return sheet(app, say(`第 ${now.number} 号小票`, `Receipt ${now.number}`),
      receipts ? paper(app, now) : h("p", { class: "quiet" }, say("正在画小票…", "Drawing the receipt…")),
      { id: "receipt-sheet", wide: true, close: () => app.set({ dialog: null, form: {} }) });
  };
}

function paper(app, sale) {
  const { printEscpos, printReceipt, receiptElement, canPrintBytes } = receipts;
  const width = receipts.paper();
  const drawn = receiptElement(sale, app.station);
  const direct = canPrintBytes() && !app.station.state.practice && sale.order_id;
  const toPrinter = () => printEscpos(sale).catch((fault) => fault.name !== "NotFoundError" && app.set({ form: { fault: fault.message } }));
  return h("div", { class: "receipt-look" },
    h("div", { class: "receipt-acts" },
      button(say("打印", "Print"), () => printReceipt(sale, app.station), { kind: "primary", mark: "print", wide: true, id: "print" }),
      direct && button(say("送到小票机", "To the receipt printer"), toPrinter, { wide: true, id: "print-bytes" }),
      app.form.fault && notice("look", app.form.fault, { role: "alert" }),
      h("div", { class: "paper-width" }, h("span", { class: "small" }, say("纸宽", "Paper")),
        segments(say("纸宽", "Paper"), [["80", say("80 毫米", "80 mm")], ["58", say("58 毫米", "58 mm")]], width, (chosen) => {
          receipts.paper(chosen);
          app.render();
        }, { id: "paper-", wide: true }))),
    // Drawn anew only when what it shows has changed.
    own(drawn, `receipt-${sale.number}-${sale.state}-${width}`));
}
