/** Which build of the package this is. `npm run build` fills it in: the sources by themselves are none. */
export const build: string | undefined = undefined;
