/** Objects of the SDK with a dialect's members in front of their own. */

/**
 * Returns `own` with what `of` has beside it. What is no method is read when somebody reads it; methods are called
 * on `of`, since they need what is private there.
 *
 * @param left - names of `of` that are left out
 */
export function inFrontOf<O extends object>(of: object, own: O, left: readonly string[] = []): O {
  const members = new Map<string, PropertyDescriptor>();
  let from: unknown = of;
  while (typeof from === "object" && from !== null && from !== Object.prototype) {
    const isOwn = from === of;
    for (const [name, { value, enumerable }] of Object.entries(
      Object.getOwnPropertyDescriptors(from),
    )) {
      if (name === "constructor" || members.has(name) || left.includes(name)) continue;
      if (Object.hasOwn(own, name)) continue;
      const isMethod = !isOwn && typeof value === "function";
      const shape = isMethod ? { value: value.bind(of) } : { get: () => Reflect.get(of, name) };
      members.set(name, { ...shape, enumerable: enumerable === true });
    }
    from = Object.getPrototypeOf(from);
  }
  return Object.defineProperties(own, Object.fromEntries(members));
}
