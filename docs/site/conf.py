"""Sphinx's settings of the course's site; `efficientlab site` writes the pages that it reads beside this file."""

from efficientlab import __version__
from efficientlab.authoring.colab import repository

project = "efficientlab"
author = "The efficientlab authors"
copyright = "the efficientlab authors, MIT licence"
version = release = __version__

extensions = ["myst_nb", "efficientlab.authoring.site.mathml"]
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_merge_streams = True
exclude_patterns = ["downloads"]
python_display_short_literal_types = True
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "efficientlab"
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
myst_html_meta = {
    "description": "Graded labs on application-specific efficient vision: measure it, make it cheap, prove it."
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {"benchmarks": [], "notation": [], "start": []}
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "icon_links": [
        {"name": "GitHub", "url": f"https://github.com/{repository()}", "icon": "fa-brands fa-github"}
    ],
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
