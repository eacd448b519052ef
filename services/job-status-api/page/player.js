// The recording: playing, pausing, seeking, and telling the time while it plays.

import { key } from './access.js';
import { request } from './api.js';
import { notify } from './elements.js';
import { clock } from './times.js';

const UNPLAYABLE = 'This browser cannot play the recording.';
const ELSEWHERE = 'The recording is on the web, from where it cannot be played while a key is needed.';

export class Player {
  #audio;
  #root;
  #wanted = null;
  #begun = false;
  #frame = 0;

  /** @param {(seconds: number) => void} onTime called once it has begun: for each frame while it plays, and where it goes */
  constructor(root, { onTime, signal }) {
    this.#root = root;
    this.#audio = root.querySelector('audio');
    this.onTime = onTime;
    const on = (target, type, act) => target.addEventListener(type, act, { signal });
    on(root.querySelector('.play'), 'click', () => this.toggle());
    on(root.querySelector('.rate'), 'change', ({ target }) => { this.#audio.playbackRate = Number(target.value); });
    on(root.querySelector('.seek'), 'input', ({ target }) => this.seek(Number(target.value)));
    on(this.#audio, 'loadedmetadata', () => this.#loaded());
    on(this.#audio, 'durationchange', () => this.#loaded());
    for (const type of ['play', 'pause', 'ended']) on(this.#audio, type, () => this.#moved());
    for (const type of ['seeking', 'seeked']) on(this.#audio, type, () => this.#tell());
    on(this.#audio, 'error', () => this.#explain(signal));
    signal.addEventListener('abort', () => this.#close());
  }

  /** Loads the recording. With a key it has to come as a whole: a media element sends none. */
  async load(url, signal) {
    if (!key()) {
      this.#audio.src = url;
      return;
    }
    try {
      const response = await request(url, { redirect: 'manual', signal });
      if (response.type === 'opaqueredirect') {
        this.#fail(ELSEWHERE);
        return;
      }
      const recording = await response.blob();
      if (!signal.aborted) this.#audio.src = URL.createObjectURL(recording);
    } catch (error) {
      if (!signal.aborted) this.#fail(error.message);
    }
  }

  get time() {
    return this.#audio.currentTime;
  }

  get playing() {
    return !this.#audio.paused;
  }

  toggle() {
    if (this.#audio.paused) this.#play();
    else this.#audio.pause();
  }

  /** Goes to this time, also before the recording is there. */
  seek(seconds) {
    const length = this.#audio.duration || Infinity;
    this.#begun = true;
    this.#wanted = Math.min(Math.max(0, seconds), length);
    if (this.#audio.readyState > 0) this.#audio.currentTime = this.#wanted;
    this.#tell();
  }

  playFrom(seconds) {
    this.seek(seconds);
    this.#play();
  }

  #play() {
    this.#begun = true;
    // A pause that comes before the first sound ends the promise with an error; the error event tells of real ones.
    this.#audio.play().catch(() => {});
  }

  #loaded() {
    const { duration } = this.#audio;
    const slider = this.#root.querySelector('.seek');
    slider.max = Number.isFinite(duration) ? duration : 0;
    slider.disabled = !Number.isFinite(duration);
    this.#root.querySelector('.play').disabled = false;
    this.#root.querySelector('.length').textContent = Number.isFinite(duration) ? clock(duration) : '';
    if (this.#wanted !== null && this.#audio.currentTime !== this.#wanted) this.#audio.currentTime = this.#wanted;
    this.#tell();
  }

  #moved() {
    const button = this.#root.querySelector('.play');
    button.classList.toggle('playing', this.playing);
    button.setAttribute('aria-label', this.playing ? 'Pause' : 'Play');
    cancelAnimationFrame(this.#frame);
    if (this.playing) this.#frame = requestAnimationFrame(() => this.#tick());
  }

  #tick() {
    this.#tell();
    this.#frame = requestAnimationFrame(() => this.#tick());
  }

  #tell() {
    const slider = this.#root.querySelector('.seek');
    slider.value = this.time;
    slider.style.setProperty('--played', slider.max > 0 ? this.time / slider.max : 0);
    slider.setAttribute('aria-valuetext', clock(this.time));
    const now = this.#root.querySelector('.now');
    if (now.textContent !== clock(this.time)) now.textContent = clock(this.time);
    if (this.#begun) this.onTime(this.time);
  }

  /** A media element does not tell what the service said, so it is asked once more, and may want a key. */
  async #explain(signal) {
    const { src } = this.#audio;
    try {
      await request(src, { headers: { Range: 'bytes=0-0' }, redirect: 'manual', signal });
      if (key() && !src.startsWith('blob:')) await this.load(src, signal);
      else this.#fail(UNPLAYABLE);
    } catch (error) {
      if (!signal.aborted) this.#fail(error.status ? error.message : UNPLAYABLE);
    }
  }

  #fail(text) {
    this.#root.classList.add('failed');
    notify(this.#root.querySelector('.silent'), text);
  }

  #close() {
    cancelAnimationFrame(this.#frame);
    this.#audio.pause();
    if (this.#audio.src.startsWith('blob:')) URL.revokeObjectURL(this.#audio.src);
    this.#audio.removeAttribute('src');
  }
}
