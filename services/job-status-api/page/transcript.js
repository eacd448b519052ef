// The text with its times: grows as chunks come in any order, marks what is spoken, and says what was clicked.
// Only what is new or changes is touched, so hours of speech stay smooth.

import { element } from './elements.js';
import { clock } from './times.js';

/** A pause of so many seconds still belongs to the word before it. */
const LINGER = 0.3;

/** Lines are kept in passages of so many seconds, which a browser skips as a whole. */
const PASSAGE = 120;

export class Transcript {
  /** Segments by their start, each with its element. */
  #segments = [];
  /** Passages by their start, each with its element. */
  #passages = [];
  #arrived = [];
  #drawing = 0;
  #spoken = { segment: null, word: null };

  /** @param {(seconds: number) => void} onSeek called with the time of what was clicked */
  constructor(list, { onSeek, onGrowth = () => {} }) {
    this.list = list;
    this.onSeek = onSeek;
    this.onGrowth = onGrowth;
    list.addEventListener('click', event => this.#clicked(event));
    list.addEventListener('keydown', event => this.#walk(event));
  }

  get length() {
    return this.#segments.length;
  }

  /** Takes segments in; they are drawn with the next frame. */
  add(segments) {
    this.#arrived.push(...segments);
    this.#drawing ||= requestAnimationFrame(() => this.#draw());
  }

  /** Puts other segments in the place of all, unless they are the same. */
  replace(segments) {
    if (this.#drawing) this.#draw();
    const shown = this.#segments;
    const same = shown.length === segments.length && shown.every((one, index) => one.text === segments[index].text
      && one.start === segments[index].start && one.words.length === (segments[index].words ?? []).length);
    if (same) return;
    this.list.replaceChildren();
    this.#segments = [];
    this.#passages = [];
    this.#spoken = { segment: null, word: null };
    this.add(segments);
  }

  #draw() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
    const arrived = this.#arrived.splice(0).sort((a, b) => a.start - b.start);
    for (const { start, end, text, words = [] } of arrived) {
      const segment = { start, end, text, words };
      segment.node = line(segment);
      const index = this.#after(start);
      const passage = this.#passage(start);
      const next = this.#segments[index]?.node;
      passage.insertBefore(segment.node, next?.parentNode === passage ? next : null);
      passage.style.setProperty('--lines', passage.childElementCount);
      this.#segments.splice(index, 0, segment);
    }
    if (!this.list.querySelector('.time[tabindex="0"]')) this.#enter(this.#segments[0]?.node);
    this.onGrowth();
  }

  /** The element for the lines of this time. */
  #passage(time) {
    const start = Math.floor(time / PASSAGE) * PASSAGE;
    const index = countUntil(this.#passages, start);
    const known = this.#passages[index - 1];
    if (known?.start === start) return known.node;
    const node = element('ol', { className: 'passage', role: 'list' });
    this.list.insertBefore(node, this.#passages[index]?.node ?? null);
    this.#passages.splice(index, 0, { start, node });
    return node;
  }

  /** How many segments start at or before this time. */
  #after(time) {
    return countUntil(this.#segments, time);
  }

  /** Marks what is spoken at this time. Returns the line, where it is another one than before. */
  mark(time) {
    const segment = this.#segments[this.#after(time) - 1] ?? null;
    const changed = segment !== this.#spoken.segment;
    if (changed) {
      this.#spoken.segment?.node.removeAttribute('aria-current');
      segment?.node.setAttribute('aria-current', 'true');
      this.#spoken.segment = segment;
    }
    const index = segment ? countUntil(segment.words, time) - 1 : -1;
    const silent = index < 0 || time > segment.words[index].end + LINGER;
    const word = silent ? null : segment.node.getElementsByClassName('word')[index];
    if (word !== this.#spoken.word) {
      this.#spoken.word?.classList.remove('spoken');
      word?.classList.add('spoken');
      this.#spoken.word = word;
    }
    return changed ? segment?.node ?? null : null;
  }

  /** The line that is spoken. */
  get spokenLine() {
    return this.#spoken.segment?.node ?? null;
  }

  /** Where the word before (-1) or after (1) this time starts; segments where there are no words. */
  neighbour(time, direction) {
    const starts = segment => (segment.words.length ? segment.words : [segment]).map(timed => timed.start);
    const here = this.#after(time) - 1;
    const near = this.#segments.slice(Math.max(0, here - 1), here + 2).flatMap(starts);
    return direction > 0 ? near.find(start => start > time + 0.01) : near.findLast(start => start < time - 0.25);
  }

  #clicked({ target }) {
    const node = target.closest('li');
    const segment = this.#segments[this.#indexOf(node)];
    // Who drags over text wants to copy it.
    if (!segment || (!target.closest('.time') && !getSelection().isCollapsed)) return;
    const word = target.closest('.word');
    const index = word ? Array.prototype.indexOf.call(node.getElementsByClassName('word'), word) : -1;
    this.#enter(node);
    this.onSeek((segment.words[index] ?? segment).start);
  }

  /** Times are one stop of the Tab key; the arrows go from one to the next. */
  #walk(event) {
    const index = this.#indexOf(event.target.closest('li'));
    const goal = this.#segments[{
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: this.#segments.length - 1,
    }[event.key]];
    if (!goal) return;
    event.preventDefault();
    this.#enter(goal.node).focus();
  }

  #indexOf(node) {
    return this.#segments.findIndex(segment => segment.node === node);
  }

  #enter(node) {
    const time = node?.querySelector('.time');
    this.list.querySelector('.time[tabindex="0"]')?.setAttribute('tabindex', '-1');
    time?.setAttribute('tabindex', '0');
    return time;
  }
}

function line({ start, text, words }) {
  const label = `Play from ${clock(start)}`;
  const time = element('button', { type: 'button', className: 'time', tabIndex: -1, 'aria-label': label }, clock(start));
  return element('li', {}, time, element('p', { dir: 'auto' }, ...worded(text.trim(), words)));
}

/** The text with its words as elements: as it is written, whatever stands between the words. */
function worded(text, words) {
  const parts = [];
  let from = 0;
  for (const { word } of words) {
    const found = text.indexOf(word.trim(), from);
    parts.push(found < 0 ? ' ' : text.slice(from, found), element('span', { className: 'word' }, word.trim()));
    from = found < 0 ? from : found + word.trim().length;
  }
  return [...parts, text.slice(from)];
}

/** How many of what is sorted by start begin at or before this time. */
function countUntil(timed, time) {
  let [low, high] = [0, timed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timed[middle].start <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
