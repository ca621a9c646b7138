// What this tablet signs and seals with. No key that is kept can be read out again.
const UTF8 = new TextEncoder();
const ROUNDS = 310_000; // PBKDF2-SHA256; a PIN is short, so each guess must be slow
const SEALING = { name: "AES-GCM", length: 256 };
const PAIR = {
  name: "RSA-OAEP", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256",
};

export function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function importTillKey(text) {
  const bytes = Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const how = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytes, how, false, ["sign"]);
}

async function digest(key, text) {
  return crypto.subtle.sign("HMAC", key, UTF8.encode(text));
}

// The signature of a journal entry: over the entry before it, its number and its text.
export async function sign(key, previous, number, body) {
  return hex(await digest(key, `${previous}\n${number}\n${body}`));
}

// The first bits (at most 32) of a text's keyed hash; spare bits of the first hex digit are zero.
export async function short(key, text, bits) {
  const first = new DataView(await digest(key, text)).getUint32(0) >>> (32 - bits);
  return first.toString(16).padStart(Math.ceil(bits / 4), "0");
}

export async function receiptCode(key, number) {
  return hex(await digest(key, `receipt:${number}`)).slice(0, 8);
}

// ── what is sealed at rest ──

export async function seal(key, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = UTF8.encode(JSON.stringify(value));
  return { iv, sealed: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain) };
}

export async function unseal(key, { iv, sealed }) {
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed);
  return JSON.parse(new TextDecoder().decode(plain));
}

async function fromPin(pin, salt) {
  const typed = await crypto.subtle.importKey("raw", UTF8.encode(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(how, typed, SEALING, false, ["wrapKey", "unwrapKey"]);
}

// A cashier's own lock: anybody may close it (the public half), only their PIN opens it.
export async function makeLock(pin) {
  const pair = await crypto.subtle.generateKey(PAIR, true, ["wrapKey", "unwrapKey"]);
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const how = { name: "AES-GCM", iv };
  const open = await crypto.subtle.wrapKey("pkcs8", pair.privateKey, await fromPin(pin, salt), how);
  const close = await crypto.subtle.exportKey("spki", pair.publicKey);
  return { salt, iv, open, close };
}

// The private half of a lock, or null when the PIN is another one.
export async function openLock(lock, pin) {
  try {
    return await crypto.subtle.unwrapKey(
      "pkcs8", lock.open, await fromPin(pin, lock.salt), { name: "AES-GCM", iv: lock.iv },
      PAIR, false, ["unwrapKey"],
    );
  } catch {
    return null;
  }
}

// A new key for the pack, closed under every lock given; the key itself cannot be read out.
export async function makePackKey(locks) {
  const key = await crypto.subtle.generateKey(SEALING, true, ["encrypt", "decrypt"]);
  const wrapped = [];
  for (const lock of locks) {
    const how = { name: "RSA-OAEP", hash: "SHA-256" };
    const close = await crypto.subtle.importKey("spki", lock.close, how, false, ["wrapKey"]);
    wrapped.push(await crypto.subtle.wrapKey("raw", key, close, { name: "RSA-OAEP" }));
  }
  const raw = await crypto.subtle.exportKey("raw", key);
  const kept = await crypto.subtle.importKey("raw", raw, SEALING, false, ["encrypt", "decrypt"]);
  return { key: kept, wrapped };
}

export function unwrapPackKey(wrapped, opened) {
  return crypto.subtle.unwrapKey(
    "raw", wrapped, opened, { name: "RSA-OAEP" }, SEALING, false, ["encrypt", "decrypt"],
  );
}
