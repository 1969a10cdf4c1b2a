"""Pure techniques: values in, values out."""
