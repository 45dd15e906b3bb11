"""What people open, in the browser that opens it: `make browser`."""
