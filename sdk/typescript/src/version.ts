/** The version of the package, as runners and clients tell it. */
export const VERSION = "0.1.0";
