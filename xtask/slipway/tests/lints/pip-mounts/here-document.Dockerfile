FROM python:3.12-slim
COPY <<EOF requirements.txt
flask==3.0.0
RUN pip install this-is-no-instruction
EOF
RUN <<EOF
set -e
# pip install commented
pip install -r requirements.txt
EOF
RUN python3 - <<'SCRIPT' && echo "pip install quoted"
print("pip install printed")
SCRIPT
