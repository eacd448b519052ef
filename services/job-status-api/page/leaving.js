// Asks before something that is going on would be given up.

/** Asks whoever leaves the page, or follows a link to another view, until the signal says that there is nothing to lose. */
export function askBeforeLeaving(question, signal) {
  addEventListener('beforeunload', event => event.preventDefault(), { signal });
  addEventListener('click', event => {
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (!elsewhere && event.target.closest('a[href^="#/"]') && !confirm(question)) event.preventDefault();
  }, { signal, capture: true });
}
