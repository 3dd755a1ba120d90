// Sets the theme that was chosen before the first paint. A file of its own, for the policy of the page
// allows no inline script.
(() => {
  try {
    const theme = localStorage.getItem("stepwell.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be refused; then the system's theme is shown.
  }
})();
