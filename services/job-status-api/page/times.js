// Times as people read them.

/** Seconds of a recording as 1:02 or 1:01:02. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const padded = number => String(number).padStart(2, '0');
  const tail = padded(whole % 60);
  return minutes < 60 ? `${minutes}:${tail}` : `${Math.floor(minutes / 60)}:${padded(minutes % 60)}:${tail}`;
}

/** A span of seconds as 90 s, 12 min or 1 h 5 min. */
export function span(seconds) {
  if (seconds < 119.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** A moment in seconds since the epoch, told from now. */
export function since(moment) {
  const seconds = moment - Date.now() / 1000;
  if (seconds > -60) return 'just now';
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86400) return relative.format(Math.round(seconds / 3600), 'hour');
  return new Date(moment * 1000).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
}

/** Bytes as 4.2 MB. */
export function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const number = bytes / 1000 ** power;
  return `${number.toFixed(number < 10 && power ? 1 : 0)} ${units[power]}`;
}

/** Resolves after so many milliseconds, or as soon as the signal says that nobody waits any more. */
export function pause(milliseconds, signal) {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
