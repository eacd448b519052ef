// What the language model wrote: summary, chapters, action items, the answer to a question; and asking it again.

import { getJson, jobUrl, request } from './api.js';
import { element, announce, notify } from './elements.js';
import { follow } from './events.js';
import { clock } from './times.js';

const TITLES = { summary: 'Summary', chapters: 'Chapters', actions: 'Action items', ask: 'Answer' };

export class Answers {
  /** @param {(seconds: number) => void} onSeek called with the start of a chapter that was chosen */
  constructor(root, form, { id, onSeek, signal }) {
    Object.assign(this, { root, form, id, onSeek, signal });
    form.addEventListener('submit', event => {
      event.preventDefault();
      const question = form.elements.ask.value.trim();
      if (question) this.#ask({ ask: question }, 'ask');
      else form.elements.ask.focus();
    }, { signal });
    form.querySelector('.again').addEventListener('click', ({ target }) => {
      if (target.dataset.task) this.#ask({ task: target.dataset.task }, target.dataset.task);
    }, { signal });
  }

  /** @param {Record<string, any>} answers by the tasks' names */
  show(answers) {
    const known = Object.keys(TITLES).filter(task => task in answers);
    this.root.replaceChildren(...known.map(task => element('section', { className: `answer ${task}` },
      element('h2', {}, TITLES[task]), this.#written(task, answers[task]))));
  }

  #written(task, output) {
    if (task === 'chapters' && Array.isArray(output)) return this.#chapters(output);
    if (Array.isArray(output) && output.every(item => typeof item === 'string')) {
      if (!output.length) return element('p', { className: 'hint' }, 'None.');
      return element('ul', {}, ...output.map(item => element('li', { dir: 'auto' }, item)));
    }
    if (typeof output === 'string') {
      const paragraphs = output.trim().split(/\n\s*\n/).filter(Boolean);
      if (!paragraphs.length) return element('p', { className: 'hint' }, 'Nothing was said.');
      return element('div', {}, ...paragraphs.map(text => element('p', { dir: 'auto' }, text)));
    }
    return element('pre', {}, JSON.stringify(output, null, 2));
  }

  #chapters(chapters) {
    if (!chapters.length) return element('p', { className: 'hint' }, 'None.');
    return element('ol', {}, ...chapters.map(({ title, start }) => {
      const button = element('button', { type: 'button', className: 'chapter' },
        element('span', { className: 'at' }, clock(start)), element('span', { dir: 'auto' }, title));
      button.addEventListener('click', () => this.onSeek(start));
      return element('li', {}, button);
    }));
  }

  /** The task is a job of its own; its answer goes into this one. */
  async #ask(task, name) {
    const error = this.form.querySelector('.error');
    this.#busy(`${name === 'ask' ? 'Looking for an answer' : `Writing the ${TITLES[name].toLowerCase()}`} …`);
    notify(error, null);
    try {
      const response = await request(jobUrl(this.id, '/llm'), { method: 'POST', json: task, signal: this.signal });
      const { id } = await response.json();
      const heard = () => {};
      const ended = await follow(jobUrl(id, '/events'), { heard, signal: this.signal });
      if (!ended) return;
      if (ended.status !== 'completed') notify(error, ended.error ?? `The task ended as ${ended.status}.`);
      else await this.#fetch(name);
    } catch (refused) {
      if (!this.signal.aborted) notify(error, refused.message);
    } finally {
      this.#busy(null);
    }
  }

  async #fetch(name) {
    this.show(await getJson(jobUrl(this.id, '/llm'), { signal: this.signal }));
    announce(`${TITLES[name]}: written`);
    this.root.querySelector(`.${name}`)?.scrollIntoView({ block: 'nearest' });
  }

  #busy(text) {
    notify(this.form.querySelector('.asking'), text);
    for (const button of this.form.querySelectorAll('button')) button.disabled = Boolean(text);
  }
}
