// What `cargo xtask dist --prove` tells the specs beside it.

/** A variable of the environment that must be there. */
export function asked(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; cargo xtask dist --prove runs this`);
  return value;
}
