/** Returns results and failures as promises, like a remote store. */
export function toPromise<Args extends unknown[], Result>(
  run: (...args: Args) => Result,
): (...args: Args) => Promise<Result> {
  return (...args) =>
    new Promise((resolve) => {
      resolve(run(...args));
    });
}
