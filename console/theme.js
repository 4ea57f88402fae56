/** Light or dark, as the system says or as the person has chosen; runs before the page is drawn. */

const KEY = 'sync-error-relay-theme';

/** @typedef {'light' | 'dark'} Theme */

/** @returns {Theme | undefined} */
function chosen() {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === 'light' || theme === 'dark' ? theme : undefined;
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
    return undefined;
  }
}

const system = matchMedia('(prefers-color-scheme: dark)');

/** @returns {Theme} */
export function currentTheme() {
  const set = document.documentElement.dataset['theme'];
  if (set === 'light' || set === 'dark') return set;
  return system.matches ? 'dark' : 'light';
}

/** Changes to the other one, and remembers it. */
export function toggleTheme() {
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // See above.
  }
  document.dispatchEvent(new Event('themechange'));
}

const initial = chosen();
if (initial !== undefined) document.documentElement.dataset['theme'] = initial;
system.addEventListener('change', () => document.dispatchEvent(new Event('themechange')));
