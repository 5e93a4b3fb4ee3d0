// Before the first paint, so that nobody who chose dark sees a white flash. A file of its own because
// the content security policy allows no inline script.
(() => {
  let chosen = 'auto';
  try {
    chosen = localStorage.getItem('praxis-color-scheme') || 'auto';
  } catch {
    // Storage may be switched off: follow the system.
  }
  const dark = chosen === 'dark' || (chosen === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
