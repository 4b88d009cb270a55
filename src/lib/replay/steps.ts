/** Work that can be done a step at a time, so that whoever does it can let others in between; what it comes to is returned. */
export type Steps<T> = Generator<void, T>;

/** Does all of it at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
