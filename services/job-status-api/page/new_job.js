// The form for a new job: a file or an address, and what to do with it.

import { getJson, ingestionUrl } from './api.js';
import { announce, notify } from './elements.js';
import { askBeforeLeaving } from './leaving.js';
import { remember } from './names.js';
import { size, span } from './times.js';
import { upload } from './upload.js';

export function takeRecordings(form, signal) {
  const drop = form.querySelector('.drop');
  const { file, url } = form.elements;
  const showChoice = () => {
    const [chosen] = file.files;
    drop.classList.toggle('chosen', Boolean(chosen));
    drop.querySelector('.drop-title').textContent = chosen ? chosen.name : 'Drop a recording here, or choose a file';
    drop.querySelector('.drop-hint').textContent = chosen ? size(chosen.size) : 'Audio or video, of any length';
    notify(form.querySelector('.error'), null);
  };
  const on = (target, type, act) => target.addEventListener(type, act, { signal });
  on(file, 'change', () => { if (file.files.length) url.value = ''; showChoice(); });
  on(url, 'input', () => { if (url.value && file.files.length) { file.value = ''; showChoice(); } });
  takeDrops(drop, dropped => {
    file.files = dropped;
    url.value = '';
    showChoice();
    if (dropped.length > 1) notify(form.querySelector('.error'), 'One recording at a time: the first one is taken.');
  }, signal);
  on(form, 'submit', event => { event.preventDefault(); send(form, signal); });
}

/** A recording may be dropped anywhere in the window. */
function takeDrops(drop, take, signal) {
  const over = event => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    drop.classList.add('over');
  };
  addEventListener('dragover', over, { signal });
  addEventListener('dragleave', event => { if (!event.relatedTarget) drop.classList.remove('over'); }, { signal });
  addEventListener('drop', event => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    drop.classList.remove('over');
    if (event.dataTransfer.files.length) take(event.dataTransfer.files);
  }, { signal });
}

async function send(form, signal) {
  const error = form.querySelector('.error');
  notify(error, null);
  const [file] = form.elements.file.files;
  const url = form.elements.url.value.trim();
  if (!file && !url) {
    notify(error, 'Choose a file, or give the address of one.');
    return;
  }
  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort());
  busy(form, true);
  try {
    const address = `${await ingestionUrl()}/v1/jobs`;
    const options = jobOptions(form);
    const job = file
      ? await sendFile(form, address, file, options, stop)
      : await getJson(address, { method: 'POST', json: asJson(url, options), signal: stop.signal });
    if (signal.aborted) return;
    remember(job.id, file ? file.name : lastPart(url));
    location.hash = `#/jobs/${encodeURIComponent(job.id)}`;
  } catch (refused) {
    if (!stop.signal.aborted) notify(error, refused.message);
  } finally {
    stop.abort();
    busy(form, false);
  }
}

/** What is asked for besides the recording, named as the form's fields are in the API; what is empty is left out. */
function jobOptions(form) {
  const fields = new FormData(form);
  const options = {};
  for (const name of ['language', 'model', 'task', 'prompt', 'ask']) {
    const value = fields.get(name).trim();
    if (value) options[name] = value;
  }
  return { ...options, words: fields.has('words'), llm: fields.getAll('llm') };
}

function asJson(url, { ask, llm, ...speech }) {
  return { source: { url }, speech, llm: ask ? [...llm, { ask: { text: ask } }] : llm };
}

function sendFile(form, address, file, options, stop) {
  const body = new FormData();
  for (const [name, value] of Object.entries(options)) body.append(name, String(value));
  body.append('file', file);
  form.querySelector('.stop').onclick = () => stop.abort();
  form.querySelector('.uploading').hidden = false;
  announce('Uploading');
  askBeforeLeaving('The upload is not finished. Stop it and leave?', stop.signal);
  return upload(address, body, { signal: stop.signal, onProgress: progress => showUpload(form, progress) });
}

function showUpload(form, { sent, total, seconds }) {
  const left = sent > 0 ? seconds * (total - sent) / sent : 0;
  const rest = left >= 1 ? ` · about ${span(left)} left` : '';
  form.querySelector('.uploading progress').value = total ? sent / total : 0;
  form.querySelector('.uploading-text').textContent =
    sent < total ? `${size(sent)} of ${size(total)} sent${rest}` : 'Sent. The job is being started …';
}

function busy(form, yes) {
  form.classList.toggle('busy', yes);
  form.querySelector('[type=submit]').disabled = yes;
  if (!yes) form.querySelector('.uploading').hidden = true;
}

function lastPart(url) {
  try {
    const { pathname, host } = new URL(url);
    return decodeURIComponent(pathname.split('/').pop()) || host;
  } catch {
    return url;
  }
}
