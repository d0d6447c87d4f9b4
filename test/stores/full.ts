/** A new field of a record does not compile here until it has a value; then every test includes it. */
export type Full<T> = T extends string | number | boolean
  ? T
  : { readonly [K in keyof T]-?: Full<Exclude<T[K], undefined>> };
