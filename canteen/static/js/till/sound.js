// A short high note for heard, two low ones for not found: eyes may stay on the diner.
let context = null;

export function beep(good) {
  try {
    context ??= new AudioContext();
    if (context.state !== "running") return;
    for (const after of good ? [0] : [0, 0.14]) {
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.frequency.value = good ? 1175 : 262;
      gain.gain.value = 0.06;
      tone.connect(gain).connect(context.destination);
      tone.start(context.currentTime + after);
      tone.stop(context.currentTime + after + (good ? 0.06 : 0.1));
    }
  } catch {
    // A tablet without sound sells as well.
  }
}

// A page may only sound after a finger has touched it.
export function wake() {
  try {
    context ??= new AudioContext();
    context.resume();
  } catch {
    // As above.
  }
}
