"""Forms: a form-js schema compiled once to an immutable `Form`, which checks what is submitted and says what to show.

The same rules hold on every way in, page or API. The server evaluates the form's FEEL again and trusts nothing: hidden fields are
dropped, read-only and computed ones come from the server, options are checked, only the form's own keys are written.
form-js 1.23's viewer is the model; `tests/browser/test_form_oracle.py` compares the two and lists every known difference.

    form = compile_form(json.loads(text))        # DeployRefused with findings
    values = form.read(data, variables, clock)   # InvalidForm with {path: Message}
"""

from engine.forms.form import Form
from engine.forms.messages import MESSAGES, Message
from engine.forms.model import Component
from engine.forms.schema import compile_form, examine_form
from engine.forms.values import to_plain as plain_json
from engine.forms.viewing import FieldView, OptionView, choice_of

__all__ = ["MESSAGES", "Component", "FieldView", "Form", "Message", "OptionView", "choice_of", "compile_form", "examine_form", "plain_json"]
