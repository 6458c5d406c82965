/** Light or dark: as the system is, until the visitor chooses. */
type Theme = "light" | "dark";

const KEY = "theme";

export function themeButton(button: HTMLButtonElement): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = stored();

  const show = () => {
    const theme: Theme = chosen ?? (dark.matches ? "dark" : "light");
    if (chosen) document.documentElement.dataset.theme = chosen;
    const other = theme === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Switch to ${other} colors`);
    button.onclick = () => {
      chosen = other;
      store(other);
      show();
    };
  };
  dark.addEventListener("change", show);
  show();
}

/** A page that is opened from disk may have no storage. */
function stored(): Theme | undefined {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : undefined;
  } catch {
    return undefined;
  }
}

function store(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // The choice lasts as long as the page.
  }
}
