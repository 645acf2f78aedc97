"""The door's process, part by part: keys, routes, dispatch, desk, set-up, sockets."""
