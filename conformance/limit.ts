/** Seconds. Far more than a call needs, also on a slow machine. */
const patience = 10;

/** The call. It fails if it has not ended some seconds after the signal fired; `what` is what the signal means. */
export async function endsSoonAfter<Result>(
  signal: AbortSignal,
  call: Promise<Result>,
  what = "the signal",
): Promise<Result> {
  const late = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(() => {
      late.reject(new Error(`the call did not end within ${patience} s of ${what}`));
    }, patience * 1_000);
  };
  if (signal.aborted) start();
  else signal.addEventListener("abort", start);
  try {
    return await Promise.race([call, late.promise]);
  } finally {
    signal.removeEventListener("abort", start);
    clearTimeout(timer);
  }
}
