"""The WSGI application that gunicorn serves; the process manager unlocks the keys before it forks."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
