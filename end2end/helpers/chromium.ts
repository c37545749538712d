// The browser that tests and measurements run in.

/** Debian's Chromium, told to keep to itself. */
export const chromium_options = {
  browserName: 'chromium' as const,
  headless: true,
  launchOptions: {
    executablePath: process.env.GRIDHALL_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // WebGL without a graphics card.
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
    ],
  },
};

/** For pages that play video: without a graphics card WebGL's stand-in takes the whole page through software OpenGL, one
 * or two pictures a second. Maps fall back to SVG. */
export const video_options = {
  ...chromium_options.launchOptions,
  args: chromium_options.launchOptions.args.filter((word) => !word.includes('swiftshader')),
};
