/**
 * Work that grows with its input and is done in steps. It yields after each step, so that other requests can run in between.
 * A step takes microseconds. Budgets count steps and not time, so the work stops at the same place on every machine.
 */
export type Steps<Result> = Generator<void, Result, void>;

/** Steps between two pauses: some milliseconds of work. */
const stepsInSlice = 500;

/** Does the work without a pause. */
export function runAtOnce<Result>(work: Steps<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Does the work in slices. `pause` lets other requests run, and resolves when this work may continue. */
export async function runInSlices<Result>(
  work: Steps<Result>,
  pause: () => Promise<unknown>,
): Promise<Result> {
  for (let count = 1; ; count++) {
    const { done, value } = work.next();
    if (done) return value;
    if (count % stepsInSlice === 0) await pause();
  }
}

/** Converts the items, one step for each item. */
export function* mapInSteps<Item, Result>(
  items: Iterable<Item>,
  convert: (item: Item) => Result,
): Steps<Result[]> {
  const converted: Result[] = [];
  for (const item of items) {
    converted.push(convert(item));
    yield;
  }
  return converted;
}

/** Items in one step of a loop that does very little with each item. */
export const itemsInStep = 64;

/** A copy, sorted by a number of each item. Items with the same number stay in their order. */
export function* sortInSteps<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => number,
): Steps<Item[]> {
  const count = items.length;
  const keys = Float64Array.from(yield* mapInSteps(items, keyOf));
  let order = Uint32Array.from(keys, (_, index) => index);
  let spare = new Uint32Array(count);
  for (let width = 1; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const end = Math.min(start + 2 * width, count);
      yield* merge(order.subarray(start, end), Math.min(width, end - start), {
        keys,
        into: spare.subarray(start, end),
      });
    }
    [order, spare] = [spare, order];
  }
  return yield* mapInSteps(order, (index) => items[index] as Item);
}

/** Merges two sorted runs of indexes. The first run ends at `middle`. */
function* merge(
  runs: Uint32Array,
  middle: number,
  { keys, into }: { readonly keys: Float64Array; readonly into: Uint32Array },
): Steps<void> {
  let [a, b] = [0, middle];
  for (let index = 0; index < runs.length; index++) {
    const [left = 0, right = 0] = [runs[a], runs[b]];
    const isLeft = b >= runs.length || (a < middle && (keys[left] ?? 0) <= (keys[right] ?? 0));
    into[index] = isLeft ? left : right;
    if (isLeft) a++;
    else b++;
    if (index % itemsInStep === itemsInStep - 1) yield;
  }
}
