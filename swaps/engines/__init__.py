"""The engines that swap faces in arrays, a folder for each. They import no Django."""
