// A receipt printer on the tablet's cable: by Web Serial, else by WebUSB. It is asked for once.
import { say } from "../words.js";

const PRINTERS = { filters: [{ classCode: 7 }] }; // USB's class of printers
const BAUD = 9600;

// Whichever the browser has: "serial", "usb", or null.
export function printerFor() {
  if ("serial" in navigator) return "serial";
  return "usb" in navigator ? "usb" : null;
}

// Fetches the bytes of a receipt and sends them on unread.
export async function sendBytes(address) {
  const kind = printerFor();
  if (!kind) throw new Error(say("这个浏览器不能直接连小票打印机", "This browser cannot speak to a receipt printer"));
  const printer = await (kind === "serial" ? serial() : usb()); // first: it may need the tap
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(say("没有取到小票内容，请再试一次", "The receipt could not be fetched; try again"));
  await printer(new Uint8Array(await answer.arrayBuffer()));
}

async function serial() {
  const [known] = await navigator.serial.getPorts();
  const port = known ?? (await navigator.serial.requestPort());
  return async (bytes) => {
    await port.open({ baudRate: rate() });
    const writer = port.writable.getWriter();
    try {
      await writer.write(bytes);
      await writer.close();
    } finally {
      writer.releaseLock();
      await port.close();
    }
  };
}

async function usb() {
  const known = (await navigator.usb.getDevices()).find((one) => out(one));
  const device = known ?? (await navigator.usb.requestDevice(PRINTERS));
  return async (bytes) => {
    await device.open();
    try {
      if (!device.configuration) await device.selectConfiguration(1);
      const [number, endpoint] = out(device);
      await device.claimInterface(number);
      await device.transferOut(endpoint, bytes);
    } finally {
      await device.close();
    }
  };
}

// The interface and endpoint of a USB printer that take what is to be printed.
function out(device) {
  for (const configuration of device.configurations) {
    for (const one of configuration.interfaces) {
      const way = one.alternates[0].interfaceClass === 7
        && one.alternates[0].endpoints.find((end) => end.direction === "out" && end.type === "bulk");
      if (way) return [one.interfaceNumber, way.endpointNumber];
    }
  }
  return null;
}

// Some printers are set to another speed; it is kept on the tablet they hang on.
function rate() {
  try {
    return Number(localStorage.getItem("printer-baud")) || BAUD;
  } catch {
    return BAUD;
  }
}
