// Runs before the first paint so that a dark page never flashes light. A file of its own: the content policy allows no inline script.
(function () {
  var wanted = null;
  try {
    wanted = localStorage.getItem('binnacle-color-scheme');
  } catch {
    // Storage may be blocked; the system's choice applies.
  }
  if (wanted !== 'light' && wanted !== 'dark') wanted = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.documentElement.setAttribute('data-mantine-color-scheme', wanted);
})();
