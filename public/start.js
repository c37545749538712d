// Starts the programme and takes the shell away. A file of its own: the page's content security policy allows no
// inline script.

/** A kiosk has nobody to press reload, so it tries again by itself. */
const RETRY_AFTER_MS = 10_000;

/** Which programme this page is of, as the site's build wrote it into the page. */
const { programme } = document.documentElement.dataset;
const shell = document.getElementById('shell');

try {
  const { default: init } = await import(`/pkg/${programme}.js`);
  await init({ module_or_path: `/pkg/${programme}_bg.wasm` });
  shell.remove();
} catch (error) {
  console.error('the programme did not start', error);
  shell.dataset.state = 'failed';
  const words = document.getElementById('shell-words');
  const english = document.createElement('span');
  english.lang = 'en';
  english.textContent = 'could not start, trying again in 10 seconds';
  words.replaceChildren('无法启动，10 秒后重试 ', english);
  setTimeout(() => location.reload(), RETRY_AFTER_MS);
}
