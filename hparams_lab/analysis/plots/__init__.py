"""Pictures of trials, one module each; `pictures` draws those that are asked for.

Each takes trials and returns a Matplotlib `Figure`, made through its object API: there is
no pyplot, no backend to choose and nothing global. Matplotlib is an extra and takes a
second to import, so it is imported where a picture is drawn, not before.
"""
