// One job: its text as it grows, the recording, and what was made of it.

import { Answers } from './answers.js';
import { getJson, ingestionUrl, jobUrl, request } from './api.js';
import { deleteOnDemand } from './deletion.js';
import { showDownloads } from './downloads.js';
import { announce, notify, stamp } from './elements.js';
import { follow } from './events.js';
import { stayAtEnd } from './growth.js';
import { nameOf } from './names.js';
import { Player } from './player.js';
import { Progress } from './progress.js';
import { playWithKeys } from './shortcuts.js';
import { showStatus, STATUS } from './status.js';
import { followSpoken } from './spoken.js';
import { span } from './times.js';
import { Transcript } from './transcript.js';

/** Shows a job until the signal says that something else is shown. Returns its title. */
export function showJob(view, id, signal) {
  const root = stamp('job');
  const find = selector => root.querySelector(selector);
  const name = nameOf(id);
  find('.job-title').textContent = name;
  view.replaceChildren(root);

  const player = new Player(find('.player'), { onTime: time => spoken.at(time), signal });
  const transcript = new Transcript(find('.transcript'), {
    onSeek: time => { spoken.resume(); player.playFrom(time); },
    onGrowth: () => { find('.text-empty').hidden = transcript.length > 0; grown(); },
  });
  const grown = stayAtEnd(player, signal);
  const spoken = followSpoken(transcript, player, find('.find'), signal);
  const answers = new Answers(find('.answers'), find('.ask'), { id, signal, onSeek: transcript.onSeek });
  const progress = new Progress(find('.progress'));
  const wrong = error => notify(find('.job-error'), error?.message ?? null);
  playWithKeys(player, transcript, signal);
  choosePane(root, signal);
  cancelOnDemand(find('.cancel'), id, { wrong, signal });
  deleteOnDemand(find('.delete'), id, { name, wrong, signal });
  player.load(jobUrl(id, '/audio'), signal);

  let isBatch = false;
  const heard = (type, data) => {
    if (type === 'segments') transcript.add(data.segments);
    if (type === 'progress') {
      isBatch = data.kind === 'batch';
      progress.show(data);
      showFacts(root, data);
    }
  };
  const connection = connected => { find('.away').hidden = connected; };
  follow(jobUrl(id, '/events'), { heard, connection, signal })
    .then(ended => ended && finish(ended))
    .catch(error => { if (!signal.aborted) giveUp(error); });

  function giveUp(error) {
    wrong(error);
    find('.text-empty').hidden = true;
    find('.player').hidden = true;
  }

  async function finish({ status, error }) {
    find('.progress').hidden = true;
    find('.cancel').hidden = true;
    find('.retries').hidden = true;
    showStatus(find('.status'), status);
    announce(STATUS[status]);
    wrong(error && { message: error });
    if (isBatch) {
      find('.text-empty').hidden = true;
      find('.player').hidden = true;
      return;
    }
    // A job that was cancelled keeps the text that it had.
    if (status === 'completed' || status === 'completed_with_errors' || (status === 'cancelled' && transcript.length > 0)) {
      await showResult().catch(missing => { if (!signal.aborted) wrong(missing); });
    }
    find('.text-empty').textContent = status === 'cancelled' ? 'Cancelled before the first words.' : 'No speech was found.';
    if (status === 'failed') find('.text-empty').hidden = true;
  }

  async function showResult() {
    showDownloads(find('.exports'), id, { name, onError: wrong, signal });
    const result = await getJson(jobUrl(id, '/transcript.json'), { signal });
    transcript.replace(result.segments);
    find('.ask').hidden = result.status === 'cancelled';
    answers.show(result.llm);
    root.classList.toggle('has-notes', Object.keys(result.llm).length > 0);
    find('.job-facts').textContent = facts(result).join(' · ');
  }

  return name;
}

function showFacts(root, job) {
  showStatus(root.querySelector('.status'), job.status);
  root.querySelector('.cancel').hidden = job.status !== 'running';
  root.querySelector('.delete').hidden = false;
  if (job.kind === 'batch') root.querySelector('.job-facts').textContent = batchFacts(job);
  if (job.duration_s > 0) root.querySelector('.job-facts').textContent = `${span(job.duration_s)} of audio`;
  const retries = job.retries.map(({ stage, attempt, message }) => `Trying ${stage} again, attempt ${attempt}: ${message}`);
  notify(root.querySelector('.retries'), job.status === 'running' && retries.join('\n'));
}

/** How the jobs of a batch stand, or ended. */
function batchFacts({ jobs_done, jobs_total, jobs }) {
  const ends = Object.entries(jobs ?? {}).filter(([, count]) => count > 0);
  const how = ends.map(([end, count]) => `${count} ${end.replaceAll('_', ' ')}`);
  return [`${jobs_done} of ${jobs_total} jobs`, ...how].join(' · ');
}

function facts({ status, duration_s, language, timings, provenance }) {
  const languages = new Intl.DisplayNames('en', { type: 'language' });
  const parts = [];
  if (status === 'cancelled') parts.push('cancelled: the text is not all of it');
  if (duration_s > 0) parts.push(`${span(duration_s)} of audio`);
  if (language) parts.push(languages.of(language));
  if (provenance.model) parts.push(`model ${provenance.model.split('/').pop()}`);
  if (timings.wall_s > 0) parts.push(`took ${span(timings.wall_s)}`);
  return parts;
}

function choosePane(root, signal) {
  root.querySelector('.panes').addEventListener('click', ({ target }) => {
    if (!target.dataset.pane) return;
    root.dataset.pane = target.dataset.pane;
    for (const button of target.parentElement.children) button.setAttribute('aria-pressed', String(button === target));
  }, { signal });
}

function cancelOnDemand(button, id, { wrong, signal }) {
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.textContent = 'Cancelling …';
    try {
      await request(`${await ingestionUrl()}${jobUrl(id)}`, { method: 'DELETE', signal });
    } catch (error) {
      if (signal.aborted) return;
      wrong(error);
      button.disabled = false;
      button.textContent = 'Cancel';
    }
  }, { signal });
}
