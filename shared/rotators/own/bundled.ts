/**
 * The modules of the configuration's `rotators` that `npm run build` put into this package, by their paths. The build replaces this file.
 * The sources have none: they import the files themselves.
 */
export const bundled: ReadonlyMap<string, unknown> | undefined = undefined;
