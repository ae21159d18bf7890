/** `fn`, but what it throws never reaches the page. */
export const safely =
  <A extends unknown[], R>(fn: (...args: A) => R): ((...args: A) => R | undefined) =>
  (...args) => {
    try {
      return fn(...args);
    } catch {
      // The page comes first.
    }
  };
