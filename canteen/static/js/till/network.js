// Asking the server, and knowing whether it can be asked: only an answer of its own is proof.
import { Offline, Refusal, saidNo } from "./refusals.js";

const PROBE = 3_000; // how long one probe may take
const USUAL = 8_000;
const SOON = 3_000; // between probes while nobody answers
const LATER = 15_000;
const HELLO = 60_000; // between hellos although other answers come
const AWAY = new Set([500, 502, 503, 504]); // somebody answers, but not for the till

export class Network extends EventTarget {
  online = false;
  csrf = null;
  hello = null;

  constructor(clock, { till = () => null } = {}) {
    super();
    Object.assign(this, { clock, till });
  }

  start() {
    addEventListener("online", () => this.probe());
    addEventListener("offline", () => this.#is(false));
    const again = async () => {
      if (this.stopped) return;
      const now = performance.now();
      const silent = now - (this.heardAt ?? -Infinity) > LATER;
      const old = now - (this.greetedAt ?? -Infinity) > HELLO || this.hello?.till?.withdrawn;
      if (!this.online || silent || old) await this.probe();
      this.timer = setTimeout(again, this.online ? LATER : SOON);
    };
    return again();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  // Whether the server answers now; it also tells its time, our token and who is signed in.
  async probe() {
    const till = this.till();
    const asked = performance.now();
    try {
      this.hello = await this.#ask("GET", till ? `/till/hello?till=${till}` : "/till/hello", {
        limit: PROBE,
      });
      this.greetedAt = asked;
      this.csrf = this.hello.csrf;
      this.dispatchEvent(new CustomEvent("hello", { detail: this.hello }));
    } catch (fault) {
      if (fault instanceof Refusal) this.#is(false); // not our server's hello
    }
    return this.online;
  }

  get(path, options) {
    return this.#ask("GET", path, options);
  }

  // A wish that changes something carries our page's token; a stale one is fetched once more.
  async send(method, path, body, options = {}) {
    if (!this.csrf && !options.bare) await this.probe();
    try {
      return await this.#ask(method, path, { ...options, body });
    } catch (fault) {
      if (!(fault instanceof Refusal && fault.code === "stale_form")) throw fault;
      await this.probe();
      return this.#ask(method, path, { ...options, body });
    }
  }

  // Answers with what the server said; throws Refusal for its no and Offline for its silence.
  async #ask(method, path, { body, limit = USUAL, etag = null } = {}) {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method !== "GET" && this.csrf) headers["X-CSRFToken"] = this.csrf;
    if (etag) headers["If-None-Match"] = etag;
    const asked = this.clock.device();
    let answer;
    let said;
    try {
      answer = await fetch(path, {
        method, headers, cache: "no-store", redirect: "manual",
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(limit),
      });
      said = answer.status === 304 || answer.status === 204 ? {} : await answer.json();
    } catch (fault) {
      if (answer?.type === "opaqueredirect") throw signedOut(); // sent to the form
      if (answer && answer.ok === false && !AWAY.has(answer.status)) {
        throw new Refusal(`http_${answer.status}`, { zh: "服务器没有看懂", en: "Not understood" });
      }
      this.#is(false);
      throw new Offline(String(fault));
    }
    if (AWAY.has(answer.status)) {
      this.#is(false);
      throw new Offline(`status ${answer.status}`);
    }
    if (!answer.ok && answer.status !== 304) {
      if (!said?.error?.code) throw new Offline(`status ${answer.status}`);
      this.#is(true);
      throw answer.status === 401 ? signedOut() : saidNo(said);
    }
    if (typeof said !== "object" || said === null) throw new Offline("not our server");
    if (said.now) this.clock.measure(asked, this.clock.device(), said.now);
    this.#is(true);
    if (answer.headers.get("ETag")) said.etag = answer.headers.get("ETag");
    if (answer.status === 304) said.unchanged = true;
    return said;
  }

  #is(online) {
    this.heardAt = online ? performance.now() : this.heardAt;
    if (this.online === online) return;
    this.online = online;
    this.dispatchEvent(new Event("change"));
  }
}

function signedOut() {
  return new Refusal("not_signed_in", { zh: "请重新输入 PIN", en: "Please enter your PIN again" });
}
