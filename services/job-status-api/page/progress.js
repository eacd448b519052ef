// How far a job is: its stages, its bar, its speed and the time that is left.

import { announce, element } from './elements.js';
import { clock, span } from './times.js';

const STAGES = [
  ['queued', 'Waiting'],
  ['ingest', 'Reading'],
  ['prepare', 'Preparing'],
  ['transcribe', 'Transcribing'],
  ['assemble', 'Assembling'],
  ['llm', 'Writing notes'],
];

export class Progress {
  #announced = null;

  constructor(root) {
    this.root = root;
    this.bar = root.querySelector('progress');
    const steps = STAGES.map(([, name]) => element('li', {}, name));
    root.querySelector('.stages').append(...steps);
  }

  show(job) {
    this.root.hidden = job.status !== 'running';
    if (this.root.hidden) return;
    const stage = STAGES.findIndex(([stage]) => stage === job.stage);
    const reached = stage < 0 ? STAGES.length : stage;
    [...this.root.querySelectorAll('.stages li')].forEach((step, index) => {
      step.classList.toggle('past', index < reached);
      if (index === reached) step.setAttribute('aria-current', 'step');
      else step.removeAttribute('aria-current');
    });
    // Without a value the bar says that nobody knows how long it takes.
    if (job.percent > 0) this.bar.value = job.percent;
    else this.bar.removeAttribute('value');
    this.root.querySelector('.progress-text').textContent = details(job).join(' · ');
    if (job.stage !== this.#announced) announce(STAGES[stage]?.[1] ?? 'Finishing');
    this.#announced = job.stage;
  }
}

function downloading({ model, bytes_done: done, bytes_total: total }) {
  const share = total > 0 ? `, ${Math.floor((100 * done) / total)} %` : '';
  return `Downloading model ${model}${share}`;
}

function details(job) {
  if (job.stage === 'queued') return ['Waiting for a worker to take it up'];
  const parts = [];
  if (job.download) parts.push(downloading(job.download));
  if (job.stage === 'ingest' && job.ingested_s > 0) parts.push(`${clock(job.ingested_s)} read`);
  if (job.percent > 0) parts.push(`${Math.floor(job.percent)} %`);
  if (job.speed) parts.push(`${job.speed.toFixed(job.speed < 10 ? 1 : 0)}× real time`);
  if (job.time_left_s > 0) parts.push(`about ${span(job.time_left_s)} left`);
  return parts;
}
