//! The formats that ffmpeg may take a recording for: those of files with sound in them.
//!
//! Playlists, manifests and scripts are left out. They name other files and addresses, which ffmpeg would read.

pub(super) const FORMATS: &str = "aa,aac,ac3,ac4,act,adp,ads,adx,aea,aiff,aix,amr,amrnb,amrwb,ape,apac,apm,asf,asf_o,ast,au,\
     avi,avr,bfstm,bink,binka,bonk,brstm,caf,codec2,dsf,dts,dtshd,dv,dxa,ea,eac3,epaf,flac,flv,fsb,g723_1,g729,genh,\
     gsm,gxf,hca,iamf,iff,ilbc,ircam,laf,loas,lvf,matroska,webm,mlp,mmf,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,\
     mpegts,msf,mtaf,mtv,mxf,mv,nc,nistsphere,nsv,nut,nuv,ogg,oma,osq,paf,pva,pvf,qcp,rl2,rm,rso,sbc,shn,smjpeg,smk,\
     sol,sox,spdif,svag,swf,tak,thp,truehd,tta,ty,vag,voc,vqf,w64,wady,wav,wsaud,wsd,wtv,wv,wve,xa,xmv,xvag,xwma";
