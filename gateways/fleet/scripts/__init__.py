"""What the store of a fleet carries out in one step each, in Lua, and what it answers."""
