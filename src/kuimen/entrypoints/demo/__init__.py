"""The main job: a lender's database made, protected, worked with and assessed."""
