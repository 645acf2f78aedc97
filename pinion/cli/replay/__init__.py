"""`pinion replay`: commands out of journals and files, through the kernels at full speed."""
