// The languages that Whisper knows, named by the browser.

const CODES = `af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu
hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si
sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh`.split(/\s+/);

/** Whisper's own code for Javanese is none of the standard's. */
const STANDARD = { jw: 'jv' };

/** Pairs of code and English name, by name. */
export function languages() {
  const names = new Intl.DisplayNames('en', { type: 'language' });
  const named = CODES.map(code => [code, names.of(STANDARD[code] ?? code)]);
  return named.sort(([, a], [, b]) => a.localeCompare(b));
}
