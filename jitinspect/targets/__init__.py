"""`mod:fn` → a jitted function: modules are imported, names found, jits taken as they are or made."""
