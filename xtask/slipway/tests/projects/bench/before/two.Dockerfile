FROM scratch AS base
COPY root /

FROM base AS build
WORKDIR /src
COPY . .
RUN sleep 0.5; cat settings library/greeting.sh services/two.sh > /two.sh

FROM base
COPY --from=build /two.sh /two.sh
ENTRYPOINT ["/bin/sh", "/two.sh"]
