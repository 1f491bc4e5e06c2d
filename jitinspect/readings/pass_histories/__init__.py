"""How instructions came to be: a module's dumps after each pass → its versions → the history of one."""
